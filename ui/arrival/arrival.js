(() => {
  // ms until it is seen as it is: from the start, and without anything new while all code that it needs is
  // there; and from then on until the code of other pages is fetched
  const LONG = 15000, PAUSE = 3000, LATER = 1000;
  const root = document.documentElement, start = performance.now();
  let titled = false, styled = false, rested = 0, count = 0, since = start;
  // scripts that what is on home asks for, fetched as soon as Streamlit's own code is there; and of other pages
  const named = (when) => document.querySelector(`meta[name=${when}]`)?.content.split(" ").filter(Boolean) ?? [];
  const parts = named("parts");
  const fetchParts = (names) => {
    for (const name of names.splice(0)) {
      const link = document.createElement("link");
      Object.assign(link, { rel: "modulepreload", crossOrigin: "", href: `./static/js/${name}` });
      document.head.append(link);
    }
  };
  root.classList.add("arriving");
  const comes = () =>
    document.querySelector("[data-testid=stApp] [data-testid=stSkeleton]") ||
    !(styled ||= !!getComputedStyle(root).getPropertyValue("--sightlines")); // which keeps the viewer's room
  const complete = () =>
    document.querySelector("[data-testid=stApp]").dataset.testScriptState !== "running" &&
    [...document.images].every((image) => image.complete || image.getBoundingClientRect().top > innerHeight);
  const look = () => {
    if (document.querySelector("[data-testid=stApp]")) fetchParts(parts);
    const now = performance.now(), elements = document.getElementsByTagName("*").length;
    const waits = comes();
    if (elements !== count || waits) [count, since] = [elements, now];
    if (document.querySelector("[data-testid=stDialog], [data-testid=stException]")) return show();
    titled ||= !!document.querySelector("[data-testid=stMain] h1");
    rested = titled && !waits && complete() ? rested + 1 : 0;
    if (rested > 2 || now - start > LONG || (titled && now - since > PAUSE)) show();
  };
  const show = () => {
    clearInterval(timer);
    root.classList.remove("arriving");
    setTimeout(() => fetchParts(named("later")), LATER);
  };
  const timer = setInterval(look, 16);
})();
