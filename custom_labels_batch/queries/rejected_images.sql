-- Rejected images
-- Which images could not be labelled and why, the newest first. They are under rejected/ in the final bucket.
SELECT
    image,
    reason_code AS reason,
    reason_message AS explanation,
    size AS size_in_bytes,
    uploaded_at,
    image_uri
FROM rekognition_customlabels_analytics
WHERE status = 'rejected'
ORDER BY uploaded_at DESC, image, image_id
