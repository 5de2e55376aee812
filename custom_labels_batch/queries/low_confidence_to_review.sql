-- Low confidence to review
-- The 500 images with the least certain label below 80 percent, each with that label: worth a person's look.
-- Change 80 to see more or fewer.
SELECT
    image,
    label,
    confidence,
    model_version,
    uploaded_at,
    image_uri
FROM (
    SELECT
        image,
        label,
        confidence,
        model_version,
        uploaded_at,
        image_uri,
        image_id,
        row_number() OVER (PARTITION BY image_id ORDER BY confidence, label_number) AS place
    FROM rekognition_customlabels_analytics
    WHERE label IS NOT NULL
)
WHERE place = 1 AND confidence < 80
ORDER BY confidence, image, image_id
LIMIT 500
