"""tt-audit: proves whether a Bull/BullMQ job system is fit for production."""

__version__ = "0.1.0"
