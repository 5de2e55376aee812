-- Images with several labels
-- Images in which more than one kind of thing was found, those with the most labels first.
SELECT
    image,
    count(DISTINCT label) AS number_of_labels,
    array_join(array_agg(DISTINCT label ORDER BY label), ', ') AS labels,
    uploaded_at,
    image_uri
FROM rekognition_customlabels_analytics
WHERE label IS NOT NULL
GROUP BY image_id, image, uploaded_at, image_uri
HAVING count(DISTINCT label) > 1
ORDER BY number_of_labels DESC, image, image_id
