"""How long what is known of people stays (留存): when it goes, what holds it, and what a traveller may ask for."""
