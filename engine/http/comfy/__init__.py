"""ComfyUI's routes and websocket, so that its clients connect unchanged: a thin layer over the job service.

Written from a description of the interface. What is and is not covered is in docs/comfyui.md.
"""
