"""Maps: from codes to places on a plane and back, and UMAPs fitted anew."""
