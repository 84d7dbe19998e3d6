"""The addresses of the whole site; each app keeps its own."""

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from mmproject import profile, views

urlpatterns = [
    path("", views.home, name="home"),
    path("login/", auth_views.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("profile/", profile.profile, name="profile"),
    path("profile/token/", profile.token_make, name="token_make"),
    path("profile/token/revoke/", profile.token_revoke, name="token_revoke"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("healthz", views.healthz, name="healthz"),
    path("admin/", admin.site.urls),
    path("annotation/", include("annotation.urls")),
    path("evaluation/", include("evaluation.urls")),
    path("", include("crawler.urls")),
    path("api/", include("annotation.api_urls")),
    path("api/", include("evaluation.api_urls")),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
]
