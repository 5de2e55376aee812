-- Labels per day
-- How many of the images uploaded each day (UTC) have each label, for the last 30 days; a day's images without
-- a label, and its rejected images, are lines of their own.
SELECT
    dt AS day,
    CASE WHEN status = 'rejected' THEN '(rejected)' ELSE coalesce(label, '(no label)') END AS label,
    count(DISTINCT image_id) AS images
FROM rekognition_customlabels_analytics
WHERE dt >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')
GROUP BY 1, 2
ORDER BY day DESC, images DESC, label
