"""What a stay would cost, before going there. Begin with `cards`; `curves` prepares the costs."""
