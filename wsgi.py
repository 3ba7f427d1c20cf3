"""The application, as a server wants it."""

from app import create_app

app = create_app()
