-- Each image once: the labels of its newest prediction.
-- A prediction may be delivered twice, and an image may be analysed twice. All rows of an image are in the partition of
-- the day of its upload, so both windows are divided by dt: a query that names days reads those days only.
SELECT
    image_key AS image,
    label,
    confidence,
    image_id,
    image_uri,
    source_bucket,
    label_number,
    bounding_box."left" AS box_left,
    bounding_box."top" AS box_top,
    bounding_box."width" AS box_width,
    bounding_box."height" AS box_height,
    model_version,
    status,
    reason_code,
    reason_message,
    size,
    uploaded_at,
    processed_at,
    dt
FROM (
    SELECT
        image_id,
        image_key,
        image_uri,
        source_bucket,
        label,
        confidence,
        bounding_box,
        label_number,
        model_version,
        status,
        reason_code,
        reason_message,
        size,
        uploaded_at,
        processed_at,
        dt,
        rank() OVER (PARTITION BY dt, image_id ORDER BY processed_at DESC, model_version DESC, image_uri DESC) AS age,
        row_number() OVER (PARTITION BY dt, image_id, processed_at, model_version, image_uri, label_number) AS delivery
    FROM prediction_rows
)
WHERE age = 1 AND delivery = 1
