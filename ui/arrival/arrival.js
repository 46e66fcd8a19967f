(() => {
  const LONG = 15000, PAUSE = 3000; // ms from the start, and without anything new, until it is seen as it is
  const root = document.documentElement, start = performance.now();
  let titled = false, rested = 0, count = 0, since = start;
  root.classList.add("arriving");
  const complete = () => {
    const app = document.querySelector("[data-testid=stApp]");
    const waits = app.dataset.testScriptState === "running" || app.querySelector("[data-testid=stSkeleton]");
    const styled = getComputedStyle(root).getPropertyValue("--sightlines"); // the viewer's room is kept
    return !waits && styled && [...document.images].every((image) => image.complete);
  };
  const look = () => {
    const now = performance.now(), elements = document.getElementsByTagName("*").length;
    if (elements !== count) [count, since] = [elements, now];
    if (document.querySelector("[data-testid=stDialog], [data-testid=stException]")) return show();
    titled ||= !!document.querySelector("[data-testid=stMain] h1");
    rested = titled && complete() ? rested + 1 : 0;
    if (rested > 2 || now - start > LONG || (titled && now - since > PAUSE)) show();
  };
  const show = () => {
    clearInterval(timer);
    root.classList.remove("arriving");
  };
  const timer = setInterval(look, 50);
})();
