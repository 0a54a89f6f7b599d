"""The commands, one file each: a function or a `typer.Typer` of the file's name."""
