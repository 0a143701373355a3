"""What people call a model or its server, and how a recipe names it: as `endpoint`, with the server's usual address."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from selfsown.errors import RecipeError, closest
from selfsown.records import Json

LOCAL = {  # servers of one's own: their usual address
    "vllm": "http://localhost:8000/v1",
    "sglang": "http://localhost:30000/v1",
    "ollama": "http://localhost:11434/v1",
    "llamacpp": "http://localhost:8080/v1",
    "lmstudio": "http://localhost:1234/v1",
    "litellm": "http://localhost:4000/v1",
    "tgi": "http://localhost:8080/v1",
}
HOSTED = {  # paid APIs: their address, and the usual variable of the key
    "openai": ("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "openrouter": ("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "gemini": ("https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"),
    "google": ("https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"),
    "mistral": ("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "deepseek": ("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    "groq": ("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "together": ("https://api.together.xyz/v1", "TOGETHER_API_KEY"),
}
AZURE = "{endpoint: {url: https://NAME.openai.azure.com/openai/v1, model: DEPLOYMENT, headers: {api-key: AZURE_KEY}}}"
LIBRARIES = ("huggingface", "transformers", "local", "peft", "unsloth", "mlx")  # they load a model; no server
NAMES = {"claude": "anthropic", "llamacppserver": "llamacpp", "llamaserver": "llamacpp", "azureopenai": "azure"}
MODELS = {"gpt": "openai", "o": "openai", "chatgpt": "openai", "claude": "anthropic", "gemini": "gemini"}  # first words
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_VARIABLE = re.compile(r"[A-Z]+(_[A-Z0-9]+)+")
MODEL_OPTIONS = ("model", "model_name", "name", "path", "id")
URL_OPTIONS = ("url", "base_url", "api_base")


def check_model(role: str, method: str, options: Mapping[str, Json], shipped: Collection[str]) -> None:
    """RecipeError where a student, teacher or judge is the name of a server or of a model, with the line to write."""
    name = re.sub(r"[^a-z]", "", method.lower())
    server = NAMES.get(name, name)
    known = server in LOCAL or server in HOSTED or server in (*LIBRARIES, "azure")
    custom = method.endswith(".py") or _MODULE.fullmatch(method) or method.startswith("function:")
    if method in shipped or (not known and (custom or closest(method, shipped))):
        return
    if not known and server != "anthropic":
        server, options = _server_of(method), {"model": method, **options}
    what = f"{role}: there is no method {method!r}"
    if server in LIBRARIES or (role == "student" and "/" in method):
        named = next((value for key in MODEL_OPTIONS if isinstance(value := options.get(key), str)), "NAME")
        model = method if "/" in method else named
        raise RecipeError(f"{what}; a model of the transformers library is: --set '{role}={{hf: {{model: {model}}}}}'")
    if role == "student":
        raise RecipeError(
            f"{what}; only {_trainable(shipped)} can be trained, or a model of your own file, ./FILE.py "
            "(docs/recipes.md, Custom methods); a model behind a server can be the teacher or the judge"
        )
    raise RecipeError(f"{what}; a model behind a server is: --set '{role}={_written(server, options)}'")


def _trainable(shipped: Collection[str]) -> str:
    return " and ".join(name for name in sorted(shipped) if name not in ("anthropic", "endpoint"))


def _server_of(model: str) -> str:
    """The server that a model of this name is probably behind."""
    first = re.match(r"[a-z]+", model.lower())
    if first and "/" not in model and first[0] in MODELS:
        return MODELS[first[0]]
    return "ollama" if ":" in model else "vllm"


def _written(server: str, options: Mapping[str, Json]) -> str:
    """The step of a recipe that asks this server, with what the given options say."""
    model = next((value for key in MODEL_OPTIONS if isinstance(value := options.get(key), str)), "NAME")
    if server == "anthropic":
        return f"{{anthropic: {{model: {model}}}}}"
    if server == "azure":
        return AZURE.replace("DEPLOYMENT", "DEPLOYMENT" if model == "NAME" else model)
    url, variable = HOSTED.get(server) or (LOCAL.get(server, LOCAL["vllm"]), "")
    url = next((value for key in URL_OPTIONS if isinstance(value := options.get(key), str)), url)
    key = options.get("api_key")
    variable = key if isinstance(key, str) and _VARIABLE.fullmatch(key) else variable
    model = f'"{model}"' if ": " in model or model.startswith(("@", "*")) else model
    return f"{{endpoint: {{url: {url}, model: {model}{f', api_key: {variable}' if variable else ''}}}}}"
