"""One HTML file that shows what a stack did with images: opens offline, and knows neither AWS nor the sandbox."""
