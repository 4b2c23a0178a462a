"""What a server offers. `scan` asks a live one."""
