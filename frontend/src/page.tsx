/** The page: what the server gave, made alive. */

import "./style/page.css";
import { start } from "./pages/start";

start(document);
