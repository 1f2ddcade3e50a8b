"""`tt-audit demo`: a private Redis, realistic queues and a small sample service, scanned without any set-up."""
