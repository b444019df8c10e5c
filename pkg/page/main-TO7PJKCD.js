var o=e=>document.getElementById(e);function d(e,n={},...c){let t=Object.assign(document.createElement(e),n);return t.append(...c),t}export{o as a,d as b};
