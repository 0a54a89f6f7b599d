"""Callbacks that write a training down: to a file, TensorBoard, MLflow or trackio."""
