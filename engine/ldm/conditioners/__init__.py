"""What turns a user's condition (text, class, boxes, map, picture) into tensors a U-Net takes.

Attribute names are the checkpoint keys below `cond_stage_model.`. Must not import the graph column.
"""
