"""What changes something across rooms: the demonstration and simulated towns."""
