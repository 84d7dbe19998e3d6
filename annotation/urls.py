from django.urls import path

from annotation import my_work, suggestion_views, views
from annotation.feedback import feedback
from annotation.mine import mine
from annotation.next_page import next_page
from annotation.preferences_page import page_size, tour_seen
from annotation.product_parts import guidelines, product_options

app_name = "annotation"
urlpatterns = [
    path("", views.search_page, name="search"),
    path("claim/", views.claim, name="claim"),
    path("crawls/<str:crawl_id>/", views.crawl_progress, name="crawl_progress"),
    path("feedback/", feedback, name="feedback"),
    path("keywords/", suggestion_views.keywords, name="keywords"),
    path("listings/<str:listing_id>/picture/", views.picture, name="picture"),
    path("mine/", mine, name="mine"),
    path("next/", next_page, name="next_page"),
    path("page-size/", page_size, name="page_size"),
    path("products/", product_options, name="product_options"),
    path("products/guidelines/", guidelines, name="guidelines"),
    path("submissions/<str:submission_id>/", views.taken_back, name="taken_back"),
    path("submissions/<str:submission_id>/undo/", views.undo, name="undo"),
    path("submit/", views.submit, name="submit"),
    path("suggestions/", suggestion_views.switch, name="suggestions"),
    path("suggestions/status/", suggestion_views.status, name="suggestion_status"),
    path("tour-seen/", tour_seen, name="tour_seen"),
    path("work/", my_work.my_work, name="work"),
]
