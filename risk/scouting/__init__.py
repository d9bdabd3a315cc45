"""What a stay would cost before going there. Begin at `cards`; `curves` prepares the costs."""
