"""Infra files: compose, Kubernetes, PM2, redis.conf and kin."""
