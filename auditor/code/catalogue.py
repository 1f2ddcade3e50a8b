"""The catalogue: what calls into npm packages mean, read from checks/catalogue/*.yaml."""
