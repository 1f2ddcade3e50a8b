"""What file collectors concluded, kept between runs outside of the scanned repository: docs/adr/0009."""
