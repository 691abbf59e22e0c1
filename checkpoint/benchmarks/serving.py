"""What gunicorn loads for a benchmark: the application as it is, with the floor mounted beside it under /floor."""

from werkzeug.middleware.dispatcher import DispatcherMiddleware

from checkpoint import create_app
from checkpoint.benchmarks.floor import PREFIX, create_floor, engine_for
from checkpoint.benchmarks.orphans import end_with_parent

app = create_app()
app.wsgi_app = DispatcherMiddleware(  # type: ignore[method-assign]
    app.wsgi_app, {PREFIX: create_floor(engine_for(app.extensions["settings"]))}
)
end_with_parent()
