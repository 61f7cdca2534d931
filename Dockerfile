# The page (default) or the HTTP service, on the CPU. docs/web.md tells how to run it.
FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu "$(grep '^torch==' constraints.txt)" \
 && pip install --no-cache-dir -c constraints.txt '.[demo,serve]' && useradd --create-home nuggy && rm -rf /src/*
USER nuggy
WORKDIR /home/nuggy
EXPOSE 8501 8000
ENTRYPOINT ["nuggy"]
CMD ["demo", "--no-browser", "--host", "0.0.0.0"]
