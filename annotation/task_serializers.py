"""What `/api/tasks` is asked and what it answers."""

from rest_framework import serializers

from annotation.models import Task
from annotation.serializers import MAX_PAGE_SIZE, PAGE_SIZE, Exact
from annotation.work import MAX_OVERLAP, MAX_PRIORITY
from crawler.models import WorkState
from mmproject.ids import ID_LENGTH

MAX_TASKS = 1000
STATES = [(value, name) for value, name in WorkState.choices if value in ("pending", "done", "cancelled")]
ASSIGNEE = "User name of an annotator; empty: open to everybody"


class TaskQuery(serializers.Serializer):
    state = serializers.ChoiceField(choices=STATES, default=None, allow_null=True, help_text="cancelled: closed")
    product = Exact(help_text="Id of the product")
    source = Exact()
    assignee = Exact(help_text="User name")
    mine = serializers.BooleanField(default=False, help_text="Only those that are assigned to you")
    priority_min = serializers.IntegerField(
        default=None, allow_null=True, min_value=-MAX_PRIORITY, max_value=MAX_PRIORITY, help_text="This or higher"
    )
    cursor = Exact(help_text="`next_cursor` of the page before")
    page_size = serializers.IntegerField(default=PAGE_SIZE, min_value=1, max_value=MAX_PAGE_SIZE)


class TaskData(serializers.ModelSerializer):
    product = serializers.CharField(source="product_id")
    assignee = serializers.CharField(source="assignee_name", help_text=ASSIGNEE)

    class Meta:
        model = Task
        fields = (
            *("id", "product", "product_name", "brand_name", "keyword", "source", "overlap", "done", "priority"),
            *("assignee", "state", "created_by", "created_at", "finished_at"),
        )


class TaskPage(serializers.Serializer):
    next_cursor = serializers.CharField(help_text="`cursor` of the next page; empty on the last")
    tasks = TaskData(many=True)


class TaskCreate(serializers.Serializer):
    product = serializers.CharField(max_length=ID_LENGTH, help_text="Id of an active product")
    keyword = serializers.CharField(max_length=200, help_text="What is to be searched for")
    source = serializers.CharField(max_length=64)
    overlap = serializers.IntegerField(
        default=1, min_value=1, max_value=MAX_OVERLAP, help_text="Annotators wanted; 1 when it is assigned"
    )
    priority = serializers.IntegerField(default=0, min_value=-MAX_PRIORITY, max_value=MAX_PRIORITY)
    assignee = Exact(max_length=150, help_text=ASSIGNEE)


class TasksCreate(serializers.Serializer):
    """One task or many. A task is its product, source and keyword: what is there already stays as it is."""

    tasks = serializers.ListField(child=TaskCreate(), min_length=1, max_length=MAX_TASKS)


class TasksMade(serializers.Serializer):
    new = serializers.IntegerField()
    existing = serializers.IntegerField(help_text="How many were there already")
    tasks = TaskData(many=True, help_text="As they are now, in the order of the request")


class TaskChange(serializers.Serializer):
    """What of a task can be changed."""

    priority = serializers.IntegerField(required=False, min_value=-MAX_PRIORITY, max_value=MAX_PRIORITY)
    assignee = serializers.CharField(required=False, allow_blank=True, max_length=150, help_text=ASSIGNEE)
    state = serializers.ChoiceField(
        required=False,
        choices=[(value, name) for value, name in STATES if value != "done"],
        help_text="cancelled closes it; pending puts a closed one back",
    )
