# Sightlines for any cloud or laptop:  docker build -t sightlines . && docker run -p 8501:8501 sightlines
# Without a GPU, which is what the default is for, torch comes from PyTorch's own index of CPU builds. With one:
#   docker build --build-arg TORCH_INDEX= -t sightlines . && docker run --gpus all -p 8501:8501 sightlines
FROM python:3.11-slim

RUN useradd --create-home sightlines && install -d -o sightlines /shared
WORKDIR /home/sightlines/app

ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY requirements.txt .
RUN pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -r requirements.txt

COPY . .
USER sightlines
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://localhost:8501/_stcore/health', timeout=4)"]
CMD ["streamlit", "run", "streamlit_app.py", "--server.headless=true", "--server.address=0.0.0.0"]
