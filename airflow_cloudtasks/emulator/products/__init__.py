"""How each product answers: its actions, the shape of its tasks, and what starts and cancels them."""
