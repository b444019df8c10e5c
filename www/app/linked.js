// Runs before the page is drawn: whoever follows a link does not see the picture that everybody else is greeted with.
if (location.hash.length > 1) document.documentElement.classList.add('linked');
