"""What users keep on the server: saved workflows and their versions, drafts, templates, settings.

Plain files under `Folders.user`, so that they can be read, copied and put under version control without Darkroom.
Everything here reads and writes disks: call it in a thread. Must not import aiohttp.
"""
