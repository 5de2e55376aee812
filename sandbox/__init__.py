"""The cloud on a laptop: an emulated AWS, a Rekognition model that really classifies, a deployer and a demo."""
