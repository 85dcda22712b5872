"""PyTorch checkpoints (.ckpt, .pt, .pth, .bin) to safetensors, without ever loading a pickle.

A pickle is a small program. Here it is read as data, opcode by opcode, and can make nothing but numbers, text, tables
and descriptions of tensors; in a process of its own with little memory and time. Must not import torch or other parts
of Darkroom but `engine.errors`.
"""
