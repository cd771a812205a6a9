"""Services: one function a verb. What is decided is pure; what is stored goes through the store's statements."""
