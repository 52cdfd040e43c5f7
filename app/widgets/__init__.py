"""What a page is made of: keyword-only options in, value out; holds no model."""
