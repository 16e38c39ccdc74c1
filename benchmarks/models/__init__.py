"""Models of every kind, each built small from nothing with a batch that it takes.

One module a library. ``zoo()`` of each maps a name to a function that builds (model,
batch): weights come from the framework's own global generator, so that the caller
seeds them; batches are the same every time. ``kinds()`` says what a model is, for
tables: "mlp", "cnn", "residual", "transformer", "recurrent" or "other".
"""
