"""Times of claims and submissions, in templates as in messages."""

from django import template

from annotation.claims import clock

register = template.Library()
register.filter("clock", clock)
