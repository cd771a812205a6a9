"""The API's doors to accounts, and the base classes every other room's doors stand on."""
