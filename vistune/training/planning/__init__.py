"""What training takes before it is begun: memory, operations, time, and the length of samples."""
