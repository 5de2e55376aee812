"""What more than one function needs: names, documents, environment, logs and metrics."""
