"""One story, told over the API, in which every operation happens; its requests and answers become the examples."""
