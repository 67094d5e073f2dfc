"""The registry as an MCP server: prompts, tools and resources for assistants and editors.

Named so that it does not hide the package `mcp`, which speaks the protocol. Who calls, and how errors are
put, is for the wiring to say (`afn_project.mcp_callers`, `afn_project.mcp_errors`).
"""
