"""What keeps an instance whole over the years: new sealing keys, backups, and the way back from one."""
