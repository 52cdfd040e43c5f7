"""One visitor: state, pictures, choices and links."""
