-- Labels by count
-- How many images have each label, the most frequent first, and how sure the model was of it on average.
-- An image that shows a label several times counts once.
SELECT
    label,
    count(DISTINCT image_id) AS images,
    count(*) AS times_found,
    round(avg(confidence), 2) AS average_confidence,
    min(confidence) AS lowest_confidence,
    max(confidence) AS highest_confidence
FROM rekognition_customlabels_analytics
WHERE label IS NOT NULL
GROUP BY label
ORDER BY images DESC, label
