"""deepscan: finds AI-generated and manipulated pictures and videos, and says what each finding is worth."""

__version__ = "0.1.0"
