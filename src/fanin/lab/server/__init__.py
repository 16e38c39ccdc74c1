"""The one room that knows Starlette and uvicorn."""
