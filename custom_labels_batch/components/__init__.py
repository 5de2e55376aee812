"""What exists in the cloud: one component for each thing a stack does, and the blocks they are built of."""
