"""The book of offices and people: who serves where, who may act for whom, what an office needs to issue documents.

Every change is journalled with the administrator's name. An administrator looks after a branch of the office tree and
changes nothing outside it, changes nothing about themselves, and never decides a case: no other role goes with it.
"""
