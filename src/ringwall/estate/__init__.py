"""AWS configuration as data: Estates, the resource kinds, and the connection that reads and writes them."""
